<qgis version="3.22.0-Białowieża" labelsEnabled="0" styleCategories="Symbology|Labeling|Fields|Forms|Temporal">
 <renderer-v2 type="singleSymbol" symbollevels="1">
  <symbols>
   <symbol name="0" type="line" alpha="1">
    <data_defined_properties>
     <Option type="Map">
      <Option name="name" value="" type="QString" />
      <Option name="properties" type="Map">
       <Option name="alpha" type="Map">
        <Option name="active" value="true" type="bool" />
        <Option name="expression" value="if(@atlas_featureid IS NULL OR (&quot;urn&quot; = attribute(@atlas_feature, 'urn') AND &quot;number&quot; = attribute(@atlas_feature, 'number')), 100, 0)" type="QString" />
        <Option name="type" value="3" type="int" />
       </Option>
      </Option>
      <Option name="type" value="collection" type="QString" />
     </Option>
    </data_defined_properties>
    <layer class="SimpleLine" enabled="1" locked="0" pass="0">
     <Option type="Map">
      <Option name="line_color" value="255,255,255,255" type="QString" />
      <Option name="line_width" value="1.5" type="QString" />
      <Option name="line_width_unit" value="MM" type="QString" />
      <Option name="capstyle" value="round" type="QString" />
      <Option name="joinstyle" value="round" type="QString" />
     </Option>
    </layer>
    <layer class="SimpleLine" enabled="1" locked="0" pass="1">
     <Option type="Map">
      <Option name="line_color" value="16,33,107,255" type="QString" />
      <Option name="line_width" value="0.8" type="QString" />
      <Option name="line_width_unit" value="MM" type="QString" />
      <Option name="capstyle" value="round" type="QString" />
      <Option name="joinstyle" value="round" type="QString" />
     </Option>
    </layer>
   </symbol>
  </symbols>
 </renderer-v2>
 <temporal mode="2" enabled="1" startField="starts" endField="ends" durationUnit="min" limitMode="0" />
 <fieldConfiguration>
  <field name="starts">
   <editWidget type="DateTime">
    <config>
     <Option type="Map">
      <Option name="display_format" value="{{ shown }}" type="QString" />
      <Option name="field_format" value="yyyy-MM-dd HH:mm:ss" type="QString" />
     </Option>
    </config>
   </editWidget>
  </field>
  <field name="ends">
   <editWidget type="DateTime">
    <config>
     <Option type="Map">
      <Option name="display_format" value="{{ shown }}" type="QString" />
      <Option name="field_format" value="yyyy-MM-dd HH:mm:ss" type="QString" />
     </Option>
    </config>
   </editWidget>
  </field>
 </fieldConfiguration>
</qgis>
